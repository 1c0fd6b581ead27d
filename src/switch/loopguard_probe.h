/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loopguard_probe - the probes of a loop guard as bytes
 *
 * doc/protocol-loopguard.md is what they look like.
 */
#ifndef SWITCH_LOOPGUARD_PROBE_H
#define SWITCH_LOOPGUARD_PROBE_H

#include "switch/loopguard.h"

struct loopguard_probe {
	uint16_t port, vid; /* it leaves by and in */
	uint64_t id; /* of the switch */
	uint32_t number;
	uint64_t sent; /* ns since the guard was made */
};

void loopguard_probe_build(uint8_t frame[static LOOPGUARD_LEN],
			   const struct loopguard_probe *,
			   const uint64_t key[static 2]);
/* False: the frame, at any length, is none. */
bool loopguard_probe_parse(struct loopguard_probe *, const uint8_t *frame,
			   size_t len);
/* Of a frame that was parsed: was it built with that key? */
bool loopguard_probe_genuine(const uint8_t *frame,
			     const uint64_t key[static 2]);

#endif
