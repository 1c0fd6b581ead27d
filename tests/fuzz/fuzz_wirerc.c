// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file of wirefilter's commands. One that fails has a reason and changes
 * nothing; what showconfig says of the wire in the end makes the same wire
 * again. Commands that open files are left out, and those of which there is no
 * part here.
 */
#include <string.h>

#include "base/strbuf.h"
#include "common/log.h"
#include "input.h"
#include "wirefilter/cmd.h"
#include "wirefilter/show.h"

#define CONFIG_MAX 65536
#define NODES_MAX 8 /* each line is checked by two lists of all edges */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t the_time;

static uint64_t stopped_clock(void)
{
	return the_time;
}

void wirefilter_stop(struct wirefilter *wf, int status)
{
	must(wf->loop != NULL);
}

static void begin(struct wirefilter *wf, bool both)
{
	memset(wf, 0, sizeof(*wf));
	wf->loop = loop_new();
	must(wf->loop != NULL);
	loop_set_clock(wf->loop, stopped_clock);
	loop_clock(wf->loop);
	wf->wire = wire_new(1, both, 65536, loop_now(wf->loop));
	must(wf->wire != NULL && cmd_start(wf) == 0);
}

static void end(struct wirefilter *wf)
{
	cmd_stop(wf);
	wire_free(wf->wire);
	loop_free(wf->loop);
}

/* ---- what is said ---- */

static void keep(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

static void config(struct wirefilter *wf, struct strbuf *b, char *text)
{
	struct mgmt_req rq = { 0 };
	struct writer w;
	int rc;

	strbuf_init(b, text, CONFIG_MAX);
	writer_init(&w, false, keep, b);
	rq.w = &w;
	while ((rc = show_config(&rq, wf)) == MGMT_MORE) {
		rq.again = true;
		rq.part_at = w.written;
	}
	must(rc == 0 && !b->cut);
}

/* ---- what is run ---- */

static bool is_left_out(const char *line)
{
	static const char *const words[] = {
		"load",	     "trace",	  "trace-once", "table",
		"class-add", "showerror", "metrics",	"reset-counters",
	};
	size_t n = strcspn(line, " \t");
	const char *count = line + n + strspn(line + n, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == n && !memcmp(words[i], line, n))
			return true;
	if (n == 8 && !memcmp(line, "losslist", n) && strchr(line, '@'))
		return true;
	return n == 15 && !memcmp(line, "markov-numnodes", n) &&
	       (strlen(count) > 1 || *count > '0' + NODES_MAX);
}

static void run(struct wirefilter *wf, const char *line)
{
	static char before[CONFIG_MAX], after[CONFIG_MAX];
	char why[MGMT_WHY];
	struct strbuf b;
	int rc;

	wire_advance(wf->wire, loop_now(wf->loop)); /* not the command */
	config(wf, &b, before);
	rc = cmd_run(wf, line, why);
	must(rc <= 0);
	config(wf, &b, after);
	must(rc == 0 || (*why && !strcmp(before, after)));
}

static void run_all(struct wirefilter *wf, const uint8_t *data, size_t size)
{
	char line[1024];

	while (size) {
		const uint8_t *nl = memchr(data, '\n', size);
		size_t n = nl ? (size_t)(nl - data) : size;
		size_t skip = nl ? n + 1 : n;

		if (n < sizeof(line)) {
			memcpy(line, data, n);
			line[n] = '\0';
			if (*line && *line != '#' &&
			    !is_left_out(line + strspn(line, " \t")))
				run(wf, line);
		}
		data += skip;
		size -= skip;
		the_time += LOOP_MS;
		loop_clock(wf->loop);
	}
}

/* The lines of @text, which is changed; each must be good. */
static void rerun(struct wirefilter *wf, char *text)
{
	char why[MGMT_WHY];

	while (*text) {
		char *nl = strchr(text, '\n');

		must(nl != NULL);
		*nl = '\0';
		must(*text == '#' || cmd_run(wf, text, why) == 0);
		text = nl + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[CONFIG_MAX], second[CONFIG_MAX], copy[CONFIG_MAX];
	struct wirefilter wf, again;
	struct strbuf b;
	char why[MGMT_WHY];

	if (size > 2048)
		return 0;
	log_open("fuzz", LOG_ERR);
	the_time = LOOP_SEC;
	begin(&wf, size % 2 == 0);
	run_all(&wf, data, size);
	must(cmd_run(&wf, "showinfo", why) == 0);
	must(cmd_run(&wf, "showedges", why) == 0);
	config(&wf, &b, first);
	memcpy(copy, first, sizeof(copy));
	begin(&again, wf.wire->both);
	rerun(&again, copy);
	config(&again, &b, second);
	must(!strcmp(first, second));
	end(&again);
	end(&wf);
	return 0;
}
