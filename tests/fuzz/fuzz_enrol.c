/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ssh brings back, and what a client sends: a line that is taken is
 * written as the same line, and has nothing in it that a terminal would obey.
 */
#include <string.h>

#include "cryptcab/enrol.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[ENROL_LINE_MAX + 1], text[ENROL_LINE_MAX + 2];
	struct enrol_request q;
	struct enrol_reply r;

	if (enrol_find_reply(&r, (const char *)data, size) == ENROL_REPLY) {
		enrol_write_reply(line, &r);
		must(line[strlen(line) - 1] == '\n');
		line[strlen(line) - 1] = '\0';
		must(memmem(data, size, line, strlen(line)) != NULL);
		for (const char *s = line; *s; s++)
			must(*s >= ' ' && *s <= '~');
	}
	if (size > ENROL_LINE_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (enrol_parse_request(&q, text)) {
		enrol_write_request(line, &q);
		must(!strncmp(line, text, strlen(text)));
		must(!strcmp(line + strlen(text), "\n"));
	}
	return 0;
}
