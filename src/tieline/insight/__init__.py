"""What drives a posterior."""
