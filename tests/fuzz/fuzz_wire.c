/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests on the control socket. What is accepted must be whole, must end
 * where it says, and says the same when the library sends it again; no part
 * of it that comes alone may be taken for the whole.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static size_t fixed_part(const struct wire_request *req)
{
	return req->version == 1 ? WIRE_V1_FIXED : WIRE_V3_FIXED;
}

static void check_accepted(const struct wire_request *req, size_t size)
{
	const size_t path_at = offsetof(struct sockaddr_un, sun_path);
	const char *path = req->addr.sun_path;

	expect(req->version == 1 || req->version == 3);
	expect(size >= fixed_part(req));
	expect(req->type <= WIRE_REQ_NEW_PORT0);
	expect(req->version == 3 || req->port == 0);
	expect(req->addr.sun_family == AF_UNIX);
	expect(req->addr_len > path_at && req->addr_len <= sizeof(req->addr));
	/* A path ends in its NUL; an abstract name has a length instead. */
	expect(!path[0] || memchr(path, 0, sizeof(req->addr.sun_path)));
	expect(strnlen(req->descr, sizeof(req->descr)) < sizeof(req->descr));
	expect(strlen(req->descr) <= size - fixed_part(req));
}

static void send_again(const struct wire_request *req)
{
	uint8_t msg[WIRE_REQ_MAX];
	struct wire_request again;
	size_t n = wire_build_request(msg, req->type, req->port, &req->addr,
				      req->descr);

	expect(n <= sizeof(msg));
	expect(wire_parse_request(&again, msg, n) == WIRE_OK);
	expect(again.type == req->type && again.port == req->port);
	expect(again.addr_len == req->addr_len);
	expect(!memcmp(&again.addr, &req->addr, sizeof(again.addr)));
	expect(!strcmp(again.descr, req->descr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_request req, part;
	enum wire_status st;

	size = size_min(size, WIRE_REQ_MAX);
	st = wire_parse_request(&req, data, size);
	expect(st < WIRE_N_STATUS);
	if (st == WIRE_SHORT)
		expect(size < WIRE_V1_FIXED);
	for (size_t n = 0; n < size; n++) {
		enum wire_status early = wire_parse_request(&part, data, n);

		/* Refused early is refused for good. */
		expect(early == WIRE_SHORT || early == st ||
		       (early == WIRE_OK && n >= fixed_part(&part)));
		if (st == WIRE_OK && n < fixed_part(&req))
			expect(early == WIRE_SHORT);
	}
	if (st != WIRE_OK)
		return 0;
	check_accepted(&req, size);
	send_again(&req);
	return 0;
}
