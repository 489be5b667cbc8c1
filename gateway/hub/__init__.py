"""The far end of the loop: takes the batches of many gateways in, once each."""

HUB = "heed-hub"  # the hub's own name, at its broker and in its certificate
