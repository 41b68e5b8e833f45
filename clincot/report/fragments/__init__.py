"""An example, a pair or the answers to a question -> a piece of HTML with its images inside and without JavaScript."""
