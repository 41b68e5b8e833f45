"""A round's rows -> a folder with a page to look through its pairs, which needs no server and no network."""
