"""What runs mean."""
