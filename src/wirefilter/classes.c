// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/classes.h"

#include <errno.h>
#include <string.h>

#include "wirefilter/fromfile.h"
#include "wirefilter/sorter.h"

static_assert(IMPAIR_CLASSES == SORTER_CLASSES, "each class can have a filter");

static const char *reason(int rc)
{
	switch (rc) {
	case -EEXIST:
		return "there is one of that name";
	case -ENOENT:
		return "there is none of that name";
	case -ENOSPC:
		return "there are 15 already";
	case -EINVAL:
		return "a name has 1 to 31 letters, digits, '-' and '_'";
	default:
		return strerror(-rc);
	}
}
static_assert(IMPAIR_CLASSES == 16 && WIRE_CLASS_NAME == 32,
	      "messages have the numbers");

static int fail(struct strbuf *why, const char *name, int rc)
{
	strbuf_fmt(why, "class '%.64s': %s", name, reason(rc));
	return rc;
}

/* Nobody sorts any more if there are no classes. */
static void keep_sorter_if_used(struct wirefilter *wf)
{
	if (!sorter_is_empty(wf->sorter))
		return;
	sorter_free(wf->sorter);
	wf->sorter = NULL;
}

int class_add(struct wirefilter *wf, const char *name, const char *filter,
	      struct strbuf *why)
{
	char text[512];
	struct strbuf wrong;
	int class, rc;

	strbuf_init(&wrong, text, sizeof(text));
	if (!wf->sorter)
		wf->sorter = sorter_new();
	if (!wf->sorter)
		return fail(why, name, -ENOMEM);
	class = wire_add_class(wf->wire, name);
	if (class < 0) {
		rc = fail(why, name, class);
	} else {
		rc = sorter_add(wf->sorter, (unsigned int)class, filter,
				&wrong);
		if (rc < 0) {
			strbuf_fmt(why, "filter '%.80s': %s", filter, text);
			wire_del_class(wf->wire, (unsigned int)class,
				       loop_now(wf->loop));
		}
	}
	keep_sorter_if_used(wf);
	return rc;
}

int class_set(struct wirefilter *wf, const char *name, const char *setting,
	      const char *value, struct strbuf *why)
{
	int class = wire_find_class(wf->wire, name);

	if (class < 0)
		return fail(why, name, class);
	if (strchr(value, '[')) {
		strbuf_fmt(why, "%s '%.160s': a class has no nodes", setting,
			   value);
		return -EINVAL;
	}
	return fromfile_set(wf, (unsigned int)class, setting, value, why);
}

int class_del(struct wirefilter *wf, const char *name, struct strbuf *why)
{
	int class = wire_find_class(wf->wire, name);

	if (class < 0)
		return fail(why, name, class);
	wire_del_class(wf->wire, (unsigned int)class, loop_now(wf->loop));
	sorter_del(wf->sorter, (unsigned int)class);
	keep_sorter_if_used(wf);
	return 0;
}
