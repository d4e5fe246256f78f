"""Chain: postings become commitments and payments. A slot is committed once; the ledger equals the chain.

The room's face is `ledger.ChainLedger` on a `client.ChainClient`, signed with `keys.DemoKeys`. web3 and py-evm take
more than a second to import: import those three where they are used. `packing` and `twin` are light.
"""
