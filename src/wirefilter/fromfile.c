// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/fromfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wirefilter/textfile.h"

#define RANGE_TEXT 42 /* "FROM-TO," */
#define REASON 300

/* ---- lists of lost frames ---- */

/* The numbers in the file, as short as they can be: no comments, one line. */
static int read_list(const char *path, char **out, struct strbuf *why)
{
	size_t len, size = (size_t)LOSS_RANGES_MAX * RANGE_TEXT + 1;
	struct loss_list *list;
	struct strbuf b;
	char *text;
	int rc = textfile_read(path, FROMFILE_MAX, &text, &len, why);

	if (rc)
		return rc;
	list = loss_list_parse(text, len, why);
	free(text);
	if (!list)
		return -EINVAL;
	*out = malloc(size);
	if (*out) {
		strbuf_init(&b, *out, size);
		loss_list_print(&b, list);
	} else {
		rc = -ENOMEM;
		strbuf_add(why, strerror(ENOMEM));
	}
	loss_list_free(list);
	return rc;
}

static int set_list(struct wirefilter *wf, unsigned int class, const char *name,
		    const char *list, enum value_direction which,
		    unsigned int node, struct strbuf *why)
{
	static const char *const prefix[] = {
		[VALUE_BOTH] = "",
		[VALUE_LR] = "LR",
		[VALUE_RL] = "RL",
	};
	size_t size = strlen(list) + 20;
	char *text = malloc(size), behind[16] = "";
	int rc = -ENOMEM;

	if (node)
		(void)str_fmt(behind, sizeof(behind), "[%u]", node);
	if (text && str_fmt(text, size, "%s%s%s", prefix[which], list, behind))
		rc = wire_set(wf->wire, class, name, text, loop_now(wf->loop),
			      why);
	else
		strbuf_add(why, strerror(ENOMEM));
	free(text);
	return rc;
}

int fromfile_set(struct wirefilter *wf, unsigned int class, const char *name,
		 const char *text, struct strbuf *why)
{
	enum value_direction which;
	char reason[REASON], *list = NULL, *path;
	struct strbuf wrong;
	const char *form;
	unsigned int node;
	size_t len;
	int rc = -EINVAL;

	if (param_find(name) != PARAM_LOSSLIST || !strchr(text, '@'))
		return wire_set(wf->wire, class, name, text, loop_now(wf->loop),
				why);
	if (!params_split(text, name, &which, &node, &form, &len, why))
		return -EINVAL;
	strbuf_init(&wrong, reason, sizeof(reason));
	path = len > 1 && *form == '@' ? strndup(form + 1, len - 1) : NULL;
	if (path)
		rc = read_list(path, &list, &wrong);
	else
		strbuf_add(&wrong, "numbers, or @ and the name of a file");
	if (rc)
		strbuf_fmt(why, "%s '%s': %s", name, text, reason);
	else
		rc = set_list(wf, class, name, list, which, node, why);
	free(path);
	free(list);
	return rc;
}

/* ---- tables ---- */

static const char *table_reason(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "a name has letters, digits, '-' and '_', and is none "
		       "of the distributions that are there anyway";
	case -EEXIST:
		return "there is one of that name";
	case -ENOSPC:
		return "there are too many";
	default:
		return strerror(-rc);
	}
}

int fromfile_table(struct wirefilter *wf, const char *name, const char *file,
		   const struct dist_table **table, struct strbuf *why)
{
	struct dist_table *t = NULL;
	char reason[REASON], *text;
	struct strbuf wrong;
	size_t len;
	int rc;

	strbuf_init(&wrong, reason, sizeof(reason));
	rc = textfile_read(file, FROMFILE_MAX, &text, &len, &wrong);
	if (!rc) {
		t = dist_table_parse(text, len, &wrong);
		free(text);
		rc = t ? 0 : -EINVAL;
	}
	if (rc) {
		strbuf_fmt(why, "table '%s': %s: %s", name, file, reason);
		return rc;
	}
	rc = wire_add_table(wf->wire, name, t);
	if (rc) {
		strbuf_fmt(why, "table '%s': %s", name, table_reason(rc));
		dist_table_free(t);
		return rc;
	}
	*table = t;
	return 0;
}
