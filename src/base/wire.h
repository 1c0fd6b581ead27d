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
 *
 * The type word is a request type in its low byte and a port number above.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <sys/un.h>

#include "base/util.h"

#define WIRE_MAGIC UINT32_C(0xfeedface)
#define WIRE_VERSION 3

#define WIRE_REQ_NEW_CONTROL 0 /* port 0 means any free port */
#define WIRE_REQ_NEW_PORT0 1 /* the management port, whatever the port bits */

#define WIRE_SOCKADDR_LEN 110 /* sizeof(struct sockaddr_un), checked below */
#define WIRE_V3_FIXED 122
#define WIRE_V1_FIXED 124
#define WIRE_REQ_MAX 256 /* one request with its description */

static_assert(sizeof(struct sockaddr_un) == WIRE_SOCKADDR_LEN,
	      "the protocol carries this platform's sockaddr_un");

struct wire_request {
	int version; /* 1 or 3 */
	uint8_t type; /* WIRE_REQ_* */
	uint32_t port; /* 0: any */
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

/* Parses what a client sent, @len <= WIRE_REQ_MAX. On WIRE_BAD_VERSION
 * @req->version tells which one it was, on WIRE_BAD_TYPE @req->type. */
enum wire_status wire_parse_request(struct wire_request *req,
				    const uint8_t *msg, size_t len);

/* Writes a version 3 request of WIRE_V3_FIXED + strlen(descr) bytes to @msg;
 * the description is cut at what one request can carry. Returns the length. */
size_t wire_build_request(uint8_t msg[static WIRE_REQ_MAX], uint32_t type,
			  uint32_t port, const struct sockaddr_un *addr,
			  const char *descr);

#endif
