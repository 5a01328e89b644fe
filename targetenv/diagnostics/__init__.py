"""What is said when something is wrong: values first, text once."""
