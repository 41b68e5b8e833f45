"""Published weights in a layout that transformers cannot load -> a folder that it loads; and what is wrong with one."""
