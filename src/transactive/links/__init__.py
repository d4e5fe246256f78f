"""Links: the only place with sockets to devices and brokers."""
