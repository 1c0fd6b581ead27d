#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rng_vectors.py - what src/base/rng.h describes, a second time, in Python
#
# Prints for each seed the first numbers of rng_init(), then for some streams,
# then the number that follows after many: one "KIND ARG... = VALUE..." a line.
# tests/unit/test_rng.c has some of them as numbers and compares all of them.
M = 2**64 - 1
SEEDS = [0, 1, 42, 0x0123456789ABCDEF, M]


def rotl(v, n):
    return (v << n | v >> (64 - n)) & M


def mix(x):
    x = x + 0x9E3779B97F4A7C15 & M
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & M
    x = (x ^ x >> 27) * 0x94D049BB133111EB & M
    return x ^ x >> 31


def xoshiro(seed):
    s = [mix(seed + i * 0x9E3779B97F4A7C15) for i in range(4)]
    while True:
        yield rotl(s[1] * 5 & M, 7) * 9 & M
        t = s[1] << 17 & M
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)


def stream(seed, a, b):
    return xoshiro(mix(mix(mix(seed) + a) + b))


def show(kind, args, values):
    print(kind, *args, "=", *(f"{v:016x}" for v in values))


for seed in SEEDS:
    g = xoshiro(seed)
    show("init", [f"{seed:x}"], [next(g) for _ in range(8)])
for seed in SEEDS:
    for a, b in ((0, 0), (0, 1), (1, 0), (7, 0xFFFFFFFF), (M, M)):
        g = stream(seed, a, b)
        show("stream", [f"{v:x}" for v in (seed, a, b)],
             [next(g) for _ in range(4)])
g = xoshiro(42)
for _ in range(100000):
    next(g)
show("after", ["2a", f"{100000:x}"], [next(g)])
