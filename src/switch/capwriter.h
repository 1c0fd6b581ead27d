/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capwriter - one section of a capture: ports as interfaces, packets, and at
 * the end how many of each interface are missing
 *
 * An interface is described in front of the first packet of its port. A packet
 * for which there is no room is lost; the next one of its port says how many
 * were.
 */
#ifndef SWITCH_CAPWRITER_H
#define SWITCH_CAPWRITER_H

#include "common/pcapng.h"
#include "switch/capbuf.h"
#include "switch/port.h"

struct capwriter_port;

/* Embedded; a zeroed one is not started. */
struct capwriter {
	struct capbuf buf;
	const char *filter; /* NULL: none */
	uint32_t snaplen;
	uint32_t interfaces; /* described so far */
	uint64_t start_ns;
	struct capwriter_port *ports; /* by number, as far as seen */
	size_t n_ports;
	size_t next; /* port whose statistics come next */
};

/* Begins a section of whatever was there before with the header in an empty
 * buffer of @size. @filter must stay. False without memory. */
bool capwriter_start(struct capwriter *, size_t size, uint32_t snaplen,
		     const char *filter, uint64_t now_ns);
void capwriter_fini(struct capwriter *);

/* Fills in @interface and @lost. False: there is no room. */
bool capwriter_put(struct capwriter *, const struct port *,
		   struct pcapng_packet *);
/* It is lost. */
void capwriter_lose(struct capwriter *, const struct port *);

/* Puts as many statistics as there is room for; true after the last. */
bool capwriter_finish(struct capwriter *, uint64_t now_ns);

#endif
