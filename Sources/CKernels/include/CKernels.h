int seqnorm_placeholder(void);
