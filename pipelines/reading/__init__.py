"""Reading: from what the user named to validated rows as Arrow, the same whatever the number of workers."""
