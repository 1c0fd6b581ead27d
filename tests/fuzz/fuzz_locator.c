// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locators: the input is one. Whatever a parser accepts must lie inside the
 * text it was given, and be text.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/locator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const char *s, const char *text, size_t size)
{
	if (s < text || s > text + size || !memchr(s, '\0', size + 1))
		abort();
}

static void check_path(char *text, size_t size)
{
	const char *value[5] = { "", "", "", "", "" };
	const struct locator_option options[] = {
		{ "", &value[0] },	    { "port", &value[1] },
		{ "portgroup", &value[2] }, { "group", &value[3] },
		{ "mode", &value[4] },	    { NULL, NULL },
	};
	size_t used;
	int rc = locator_parse_path(text, options);

	if (rc < 0)
		return;
	used = strlen(text);
	inside(text, text, size);
	for (int i = 0; i < 5; i++) {
		if (!*value[i])
			continue;
		if (!rc || value[i] <= text + used)
			abort();
		inside(value[i], text, size);
	}
}

static void check_udp(const char *text)
{
	struct locator_udp u;

	if (locator_parse_udp(&u, text) < 0)
		return;
	if (!u.dst_port || !*u.dst_host ||
	    strlen(u.dst_host) >= sizeof(u.dst_host) ||
	    strlen(u.src_host) >= sizeof(u.src_host))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct locator l;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	size = strlen(text);
	if (locator_split(&l, text) == 0) {
		inside(l.address, text, size);
		if (!*l.module || strlen(l.module) >= sizeof(l.module))
			abort();
		check_udp(l.address);
	}
	check_path(text, size);
	free(text);
	return 0;
}
