/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wire - the control socket protocol of VDE 2, shared by library and switch
 *
 * A client connects to DIR/ctl (SOCK_STREAM), binds a datagram socket of its
 * own, sends one request and reads one reply: the sockaddr_un of the switch's
 * datagram socket. From then on the stream is silent and its EOF is the
 * disconnect. All integers are in the byte order of the machine.
 *
 *   version 3   magic u32 | 3 u32 | type u32 | sockaddr_un 110 | description
 *   version 1   magic u32 | type u32 | MAC 6 | sockaddr_un 110 | description
 *   version 4   magic u32 | 4 u32 | type u32 | capabilities u32 |
 *               ring size u32 | longest frame u32 | 0 u32 | 0 u32 | description
 *
 * Version 4 is ours: it asks for rings in shared memory (doc/protocol-ring.md)
 * and is answered by struct wire_answer with three descriptors.
 *
 * The type word is a request type in its low byte and a port number above.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <sys/un.h>

#include "base/util.h"

#define WIRE_MAGIC UINT32_C(0xfeedface)
#define WIRE_VERSION 3
#define WIRE_VERSION_RING 4

/* In front of the last component of the path that a switch with rings has bound
 * its control socket to, so that a client sees it (getpeername()) before it
 * says anything. */
#define WIRE_RING_MARK "/./"

#define WIRE_REQ_NEW_CONTROL 0 /* port 0 means any free port */
#define WIRE_REQ_NEW_PORT0 1 /* the management port, whatever the port bits */

#define WIRE_SOCKADDR_LEN 110 /* sizeof(struct sockaddr_un), checked below */
#define WIRE_V3_FIXED 122
#define WIRE_V1_FIXED 124
#define WIRE_V4_FIXED 32
#define WIRE_REQ_MAX 256 /* one request with its description */

static_assert(sizeof(struct sockaddr_un) == WIRE_SOCKADDR_LEN,
	      "the protocol carries this platform's sockaddr_un");

struct wire_request {
	int version; /* 1, 3 or 4 */
	uint8_t type; /* WIRE_REQ_* */
	uint32_t port; /* 0: any */
	uint32_t caps; /* version 4: what the client takes, OFFLOAD_* */
	uint32_t ring_size; /* version 4: wanted, 0: the switch chooses */
	uint32_t max_len; /* version 4: longest frame the client takes */
	struct sockaddr_un addr; /* the client's datagram socket */
	size_t addr_len; /* for connect(): a path, or an abstract name */
	char descr[WIRE_REQ_MAX - WIRE_V3_FIXED + 1];
};

enum wire_status {
	WIRE_OK,
	WIRE_SHORT, /* more bytes are needed */
	WIRE_BAD_MAGIC,
	WIRE_BAD_VERSION,
	WIRE_BAD_TYPE,
	WIRE_BAD_ADDR, /* not AF_UNIX, unnamed, or a path without NUL */
	WIRE_N_STATUS
};

/* The answer to version 4. With status 0 it carries, by SCM_RIGHTS, the
 * descriptors of enum wire_fd, in that order. */
struct wire_answer {
	uint32_t magic;
	uint32_t version; /* 4 */
	uint32_t status; /* 0, or an errno: refused, see @reason */
	uint32_t port;
	uint32_t caps; /* what the switch takes, OFFLOAD_* */
	uint32_t ring_size; /* of each direction, a power of two */
	uint32_t max_len; /* longest frame in either direction */
	uint32_t reserved;
	char reason[96]; /* text, with its NUL */
};
static_assert(sizeof(struct wire_answer) == 128, "layout is a protocol");

enum wire_fd {
	WIRE_FD_MEMORY, /* sealed memory file (base/ringmap.h) */
	WIRE_FD_SWITCH, /* eventfd: the client kicks the switch */
	WIRE_FD_DATA, /* datagram socket that kicks the client when there are
		       * frames, and is writable again when there is room */
	WIRE_N_FDS
};

/* Parses what a client sent, @len <= WIRE_REQ_MAX. On WIRE_BAD_VERSION
 * @req->version tells which one it was, on WIRE_BAD_TYPE @req->type. */
enum wire_status wire_parse_request(struct wire_request *req,
				    const uint8_t *msg, size_t len);

/* Writes a version 3 request of WIRE_V3_FIXED + strlen(descr) bytes to @msg;
 * the description is cut at what one request can carry. Returns the length. */
size_t wire_build_request(uint8_t msg[static WIRE_REQ_MAX], uint32_t type,
			  uint32_t port, const struct sockaddr_un *addr,
			  const char *descr);

/* The same for version 4, from type, port, caps, ring_size and max_len of
 * @req. */
size_t wire_build_ring_request(uint8_t msg[static WIRE_REQ_MAX],
			       const struct wire_request *req,
			       const char *descr);

#endif
