"""What a page shows, gathered from the apps below in a fixed number of statements."""
