"""The student's checker: names the mistake in a network written by hand, with its line."""
