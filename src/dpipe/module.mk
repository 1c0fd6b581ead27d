LIBS += chain
ENGINES += chain
chain_SRCS := src/dpipe/chain.c

PROGS += dpipe
dpipe_SRCS := src/dpipe/main.c src/dpipe/run.c
dpipe_LIBS := chain common base
