"""When a failed attempt is tried again, and after how long."""
