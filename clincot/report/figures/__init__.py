"""Numbers -> drawings of a few plain shapes, which become SVG for pages, SVG and PNG for papers, and CSV."""
