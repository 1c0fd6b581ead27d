/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classes - frames that are treated in their own way
 *
 * A class is a name, a filter that says which frames it has (sorter.h) and
 * settings (wire.h): the console, and by its commands the command line, say so
 * by these functions. Each returns 0, or -errno after saying in @why what is
 * wrong, and with what; nothing has changed then.
 */
#ifndef WIREFILTER_CLASSES_H
#define WIREFILTER_CLASSES_H

#include "wirefilter/wirefilter.h"

int class_add(struct wirefilter *, const char *name, const char *filter,
	      struct strbuf *why);
/* @setting is a row of params.h. */
int class_set(struct wirefilter *, const char *name, const char *setting,
	      const char *value, struct strbuf *why);
/* What waits leaves as it would have. */
int class_del(struct wirefilter *, const char *name, struct strbuf *why);

#endif
