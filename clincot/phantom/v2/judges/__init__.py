"""What images of version 2 hold, in words -> two tiny judges that see texts alone, and their held-out figures."""
