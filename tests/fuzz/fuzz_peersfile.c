/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers files: what is refused is refused with a line; what is taken has rules
 * that the engine takes, and each of its peers, written, is the same again.
 */
#include <sodium.h>
#include <string.h>

#include "cryptcab/peersfile.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_difference(void *ctx, const struct peersfile_peer *was,
			  const struct peersfile_peer *is, unsigned int d)
{
	must(false);
}

static void check_again(const struct peersfile *f, char *block)
{
	struct peersfile *again;
	char reason[300];
	struct strbuf b, why;

	strbuf_init(&why, reason, sizeof(reason));
	strbuf_init(&b, block, PEERSFILE_BLOCK_SIZE * 4);
	for (uint32_t i = 0; i < f->n; i++)
		peersfile_write(&b, &f->peers[i]);
	if (b.cut)
		return;
	must(!peersfile_parse(&again, b.s, b.len, &why));
	peersfile_diff(f, again, no_difference, NULL);
	must(again->n == f->n);
	peersfile_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char block[PEERSFILE_BLOCK_SIZE * 4];
	struct peersfile *f;
	char reason[300];
	struct strbuf why;
	struct admit *a;

	must(sodium_init() >= 0);
	strbuf_init(&why, reason, sizeof(reason));
	if (peersfile_parse(&f, (const char *)data, size, &why)) {
		must(!strncmp(reason, "line ", 5) && !why.cut);
		for (const char *s = reason; *s; s++)
			must(*s >= ' ' && *s <= '~');
		return 0;
	}
	must(!why.len);
	for (uint32_t i = 0; i < f->n; i++) {
		struct peersfile_peer *p = &f->peers[i];

		must(p->from < p->to && p->to <= size);
		must(peersfile_name_ok(p->name));
		must(peersfile_find(f, p->key) == p);
		must(peersfile_find_name(f, p->name) == p);
		must(!admit_new(&a, &p->rules, 0));
		admit_free(a);
	}
	check_again(f, block);
	peersfile_free(f);
	return 0;
}
