print("seqnorm")
