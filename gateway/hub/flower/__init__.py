"""Federation of hubs on Flower (https://flower.ai): its messages, its SuperNode, its strategies. The only folder that imports flwr."""
