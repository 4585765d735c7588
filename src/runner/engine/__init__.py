"""Joins the rooms: what a door calls."""
