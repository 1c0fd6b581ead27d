// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold - connections that stay and do nothing, and what their rings take
 *
 * Says "ready" once all are there and each station has been heard. A line on
 * standard input is answered by how much memory the files behind all shared
 * mappings take, whoever touched it: mincore(2) tells which pages a file has
 * in memory, and a page that is mapped twice (a ring is, to be contiguous)
 * counts once. The end of the input is the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "common/cli.h"
#include "load.h"

#define CHUNK 4096 /* pages asked for at once */

struct mapping {
	uintptr_t start, end;
	uint64_t offset, inode;
};

/* A line of /proc/PID/maps: START-END PERMS OFFSET DEVICE INODE PATH. */
static bool parse_mapping(const char *line, struct mapping *m)
{
	const char *memfd = strstr(line, "/memfd:");
	char *p;

	if (!memfd)
		return false;
	m->start = strtoull(line, &p, 16);
	m->end = strtoull(p + 1, &p, 16);
	m->offset = strtoull(p + strlen(" rw-s "), &p, 16);
	m->inode = strtoull(p + strlen(" 00:00 "), NULL, 10);
	return true;
}

static uint64_t resident(uintptr_t start, uintptr_t end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	unsigned char there[CHUNK];
	uint64_t n = 0;

	while (start < end) {
		size_t len = size_min(end - start, CHUNK * page);

		/* NOLINTNEXTLINE(performance-no-int-to-ptr): as it was read */
		if (mincore((void *)start, len, there))
			return n * page;
		for (size_t i = 0; i < len / page; i++)
			n += there[i] & 1;
		start += len;
	}
	return n * page;
}

/* The parts of a file follow each other, the second mapping of a part right
 * after the first: what was seen of the same file is not counted again. */
static uint64_t ring_bytes(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	struct mapping m, last = { 0 };
	uint64_t bytes = 0, seen = 0; /* of the file, up to here */
	char line[512];

	if (!f)
		die("unable to read /proc/self/maps");
	while (fgets(line, sizeof(line), f)) {
		uint64_t len;

		if (!parse_mapping(line, &m))
			continue;
		if (m.inode != last.inode)
			seen = 0;
		len = m.end - m.start;
		if (m.offset >= seen)
			bytes += resident(m.start, m.end);
		else if (m.offset + len > seen)
			bytes += resident(m.start + (seen - m.offset), m.end);
		if (m.offset + len > seen)
			seen = m.offset + len;
		last = m;
	}
	fclose(f);
	return bytes;
}

void hold_mode(const struct load_options *o)
{
	VDECONN *c = NULL;
	char line[64];

	for (int64_t i = 0; i < o->ports; i++)
		c = load_open(o->tx);
	if (o->addresses > 2)
		load_announce(c, LOAD_TX_ADDR, (uint64_t)o->addresses);
	printf("{\"ready\": %d}\n", (int)o->ports);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("{\"ring_bytes\": %llu}\n",
		       (unsigned long long)ring_bytes());
		fflush(stdout);
	}
	_exit(EXIT_SUCCESS); /* the kernel closes what is open */
}
