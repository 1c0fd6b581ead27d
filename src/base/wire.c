// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/wire.h"

#include <string.h>
#include <sys/socket.h>

#include "base/cursor.h"

/* A path ends with a NUL inside sun_path. An abstract name (first byte 0) has
 * no length in this protocol: it is all of sun_path, as a client of VDE 2 must
 * bind it. */
static bool parse_addr(struct wire_request *req, const uint8_t *p)
{
	const char *path = req->addr.sun_path;
	size_t n;

	memcpy(&req->addr, p, sizeof(req->addr));
	if (req->addr.sun_family != AF_UNIX)
		return false;
	if (path[0]) {
		n = strnlen(path, sizeof(req->addr.sun_path));
		if (n == sizeof(req->addr.sun_path))
			return false;
		n++;
	} else {
		static const char unnamed[sizeof(req->addr.sun_path)];

		n = sizeof(req->addr.sun_path);
		if (!memcmp(path, unnamed, n))
			return false;
	}
	req->addr_len = offsetof(struct sockaddr_un, sun_path) + n;
	return true;
}

/* The words between type and description; false if the message is short. */
static bool parse_ring(struct wire_request *req, struct cursor *c)
{
	req->caps = cursor_host32(c);
	req->ring_size = cursor_host32(c);
	req->max_len = cursor_host32(c);
	cursor_host32(c);
	cursor_host32(c);
	return !c->bad;
}

static enum wire_status parse_body(struct wire_request *req, struct cursor *c)
{
	const uint8_t *addr;

	if (req->version == WIRE_VERSION_RING)
		return parse_ring(req, c) ? WIRE_OK : WIRE_SHORT;
	addr = cursor_take(c, WIRE_SOCKADDR_LEN);
	if (!addr)
		return WIRE_SHORT;
	return parse_addr(req, addr) ? WIRE_OK : WIRE_BAD_ADDR;
}

enum wire_status wire_parse_request(struct wire_request *req,
				    const uint8_t *msg, size_t len)
{
	struct cursor c = { msg, len, false };
	uint32_t magic = cursor_host32(&c), word = cursor_host32(&c), type;
	enum wire_status status;
	size_t n;

	*req = (struct wire_request){ 0 };
	if (len >= sizeof(magic) && magic != WIRE_MAGIC)
		return WIRE_BAD_MAGIC;
	if (c.bad)
		return WIRE_SHORT;
	req->version = word < 2 ? 1 : (int)(word & INT32_MAX);
	if (word >= 2 && word != WIRE_VERSION && word != WIRE_VERSION_RING)
		return WIRE_BAD_VERSION;
	if (req->version == 1) {
		type = word;
		cursor_take(&c, 6);
	} else {
		type = cursor_host32(&c);
	}
	req->type = type & 0xff;
	req->port = type >> 8;
	status = parse_body(req, &c);
	if (status == WIRE_SHORT)
		return status;
	if (req->type > WIRE_REQ_NEW_PORT0)
		return WIRE_BAD_TYPE;
	if (status != WIRE_OK)
		return status;
	n = size_min(c.left, sizeof(req->descr) - 1);
	memcpy(req->descr, cursor_take(&c, n), n);
	return WIRE_OK;
}

size_t wire_build_request(uint8_t msg[static WIRE_REQ_MAX], uint32_t type,
			  uint32_t port, const struct sockaddr_un *addr,
			  const char *descr)
{
	const uint32_t head[] = { WIRE_MAGIC, WIRE_VERSION, type | port << 8 };
	size_t n = size_min(strlen(descr), WIRE_REQ_MAX - WIRE_V3_FIXED);

	memcpy(msg, head, sizeof(head));
	memcpy(msg + sizeof(head), addr, WIRE_SOCKADDR_LEN);
	/* The message's length ends the description, not a NUL. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(msg + WIRE_V3_FIXED, descr, n);
	return WIRE_V3_FIXED + n;
}

size_t wire_build_ring_request(uint8_t msg[static WIRE_REQ_MAX],
			       const struct wire_request *req,
			       const char *descr)
{
	const uint32_t head[] = {
		WIRE_MAGIC,
		WIRE_VERSION_RING,
		req->type | req->port << 8,
		req->caps,
		req->ring_size,
		req->max_len,
		0,
		0,
	};
	size_t n = size_min(strlen(descr), sizeof(req->descr) - 1);

	static_assert(sizeof(head) == WIRE_V4_FIXED, "layout is a protocol");
	memcpy(msg, head, sizeof(head));
	/* The message's length ends the description, not a NUL. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(msg + sizeof(head), descr, n);
	return sizeof(head) + n;
}
