"""What should happen: policies decide, they never act."""
