"""How models/traffic and models/traffic_single are made: data, ridge, net, training, export, evaluation (extra `train`)."""
