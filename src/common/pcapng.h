/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng - blocks of a capture file, written into memory
 *
 * The format is that of the IETF's draft-ietf-opsawg-pcapng, whose sections
 * are cited in pcapng.c. A capture is a section header, a description of each
 * interface in front of the first packet that names it, packets, and at the
 * end the statistics of each interface. A second section header makes a new
 * start: its interfaces are counted from 0 again.
 *
 * Integers are in the byte order of this machine, as the format wants it.
 * Times are in nanoseconds since 1970. Each function returns the length of
 * the block, a multiple of 4, or 0 and writes nothing when @room is too
 * small. Texts are cut at PCAPNG_TEXT_MAX bytes; what in them is not UTF-8
 * becomes '?', as the format allows nothing else.
 */
#ifndef COMMON_PCAPNG_H
#define COMMON_PCAPNG_H

#include <string.h>
#include <sys/uio.h>

#include "base/util.h"

#define PCAPNG_TEXT_MAX 1024
/* The most that a packet's block is longer than what was captured of it, with
 * a comment and a verdict of 64 bytes together. */
#define PCAPNG_PACKET_EXTRA 192
#define PCAPNG_SNAPLEN_MAX 262144 /* what readers take */

/* Bits of a packet (section 4.3.1). */
#define PCAPNG_INBOUND 1U
#define PCAPNG_OUTBOUND 2U
#define PCAPNG_UNICAST (1U << 2)
#define PCAPNG_MULTICAST (2U << 2)
#define PCAPNG_BROADCAST (3U << 2)
#define PCAPNG_NO_CSUM (1U << 9) /* not computed yet */
#define PCAPNG_CSUM_VALID (1U << 10)
#define PCAPNG_TSO (1U << 11) /* TCP that is to be cut */

struct pcapng_interface {
	const char *name; /* texts may be NULL: there is none */
	const char *descr;
	const char *filter; /* what libpcap was told to look for */
	uint32_t snaplen;
};

struct pcapng_packet {
	uint32_t interface;
	uint32_t flags;
	uint64_t time_ns;
	const struct iovec *iov; /* its bytes, at least @len of them */
	uint32_t len; /* captured */
	uint32_t wire_len; /* of the whole packet */
	uint64_t lost; /* packets of this interface since the last one here */
	const char *comment; /* NULL: none */
	const char *verdict; /* why it goes no further; NULL: it does */
};

struct pcapng_stats {
	uint32_t interface;
	uint64_t start_ns, end_ns;
	uint64_t seen; /* packets that the filter let pass, lost ones too */
	uint64_t lost; /* among them, because nobody read fast enough */
};

size_t pcapng_put_section(uint8_t *to, size_t room, const char *program);
size_t pcapng_put_interface(uint8_t *to, size_t room,
			    const struct pcapng_interface *);
size_t pcapng_put_packet(uint8_t *to, size_t room,
			 const struct pcapng_packet *);
size_t pcapng_put_stats(uint8_t *to, size_t room, const struct pcapng_stats *);

/* The length of the block at @block, which one of these functions wrote. */
static inline size_t pcapng_block_len(const uint8_t *block)
{
	uint32_t len;

	memcpy(&len, block + sizeof(len), sizeof(len));
	return len;
}

#endif
