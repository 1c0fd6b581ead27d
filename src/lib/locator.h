/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * locator - the text that names a network, taken apart (no system calls)
 *
 *   [module://]address        without a module it is "vde"
 *   PATH[option/option/...]   address of a module that names a file
 *   [HOST:]PORT->HOST:PORT    address of a UDP cable
 *
 * In PATH and options '...', "..." and a backslash quote, %XX is a byte. An
 * option is KEY=VALUE or KEY; a key may be abbreviated. vde_locators(7) has
 * the details.
 */
#ifndef LIB_LOCATOR_H
#define LIB_LOCATOR_H

#include "base/util.h"

#define LOCATOR_MODULE_SIZE 32
#define LOCATOR_HOST_SIZE 256

struct locator {
	char module[LOCATOR_MODULE_SIZE];
	bool bare; /* no module was written */
	const char *address; /* inside the string that was split */
};

/* 0; -EINVAL for a module name that no file could have. */
int locator_split(struct locator *, const char *s);

/* A row of the options that a module knows: @value points to where the value
 * goes, "" for a key without '='. A word that begins no key goes to the row
 * with key "". The table ends with a row without key. */
struct locator_option {
	const char *key;
	const char **value;
};

/* Decodes @address in place: it becomes the path, values point into it, rows
 * that were not mentioned are untouched. 1 if there were brackets, 0 if not,
 * -EINVAL. */
int locator_parse_path(char *address, const struct locator_option *options);

struct locator_udp {
	char src_host[LOCATOR_HOST_SIZE]; /* "": any */
	char dst_host[LOCATOR_HOST_SIZE];
	uint16_t src_port, dst_port;
};

/* 0 or -EINVAL. A host with colons may stand in brackets. */
int locator_parse_udp(struct locator_udp *, const char *address);

#endif
