"""Call auctions over several slots: blocks, ranges and storages."""
