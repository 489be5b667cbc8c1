"""The far end of the loop: takes the batches of many gateways in, once each."""
