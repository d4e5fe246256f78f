"""A whole chain in one SQLite file: py-evm executes, SQLite keeps, web3.py speaks to it."""
