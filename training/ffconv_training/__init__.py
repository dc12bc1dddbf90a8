"""Training of networks that FFConv evaluates on encrypted images."""
