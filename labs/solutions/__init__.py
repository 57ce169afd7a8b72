"""Worked solutions of the tasks. Try a task first: reading its solution takes its effect away."""
