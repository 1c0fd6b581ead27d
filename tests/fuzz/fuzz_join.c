/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of who joins: what is one is written as the same bytes again, and
 * none is both a request and an answer.
 */
#include <string.h>

#include "cryptcab/join.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[JOIN_FRAME_MAX];
	struct join_message m;
	bool request;
	size_t n;

	request = join_parse_request(&m, data, size);
	if (request)
		n = join_write_request(again, &m);
	else if (join_parse_answer(&m, data, size))
		n = join_write_answer(again, &m);
	else
		return 0;
	must(n == size && !memcmp(again, data, n));
	must(!m.name[0] || peersfile_name_ok(m.name));
	must(m.status < JOIN_N_STATUSES && join_status_text(m.status));
	must(!request || !join_parse_answer(&m, data, size));
	return 0;
}
