"""One module for each subcommand, and the table that names them."""
