"""What a posterior says, as figures that a page draws and that answer to the pointer."""
