/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - run a fuzz target over stored inputs, without libFuzzer
 *
 * Linked with a target instead of clang's driver. Reads every file of the
 * directories and files named, by default tests/fuzz/corpus/NAME with NAME
 * the program's own; one TAP point says that all of them were survived.
 * What a target finds wrong it says by abort(), as under libFuzzer.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run_file(const char *path, size_t size)
{
	/* Exactly as large as the input, so that a sanitizer sees the end. */
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");
	bool ok = data && f && fread(data, 1, size, f) == size;

	if (ok) {
		printf("# %s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput(data, size);
	} else {
		printf("# unable to read %s: %s\n", path, strerror(errno));
	}
	if (f)
		fclose(f);
	free(data);
	return ok;
}

/* Adds the number of inputs to @n. */
static bool run_path(const char *path, int *n)
{
	char name[PATH_MAX];
	struct dirent *e;
	struct stat st;
	bool ok = true;
	DIR *d;
	int len;

	if (stat(path, &st) < 0 ||
	    (S_ISDIR(st.st_mode) && !(d = opendir(path)))) {
		printf("# unable to open %s: %s\n", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		++*n;
		return run_file(path, (size_t)st.st_size);
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		len = snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (len < 0 || (size_t)len >= sizeof(name))
			ok = false;
		else
			ok &= run_path(name, n);
	}
	closedir(d);
	return ok;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	char corpus[PATH_MAX];
	bool ok = true;
	int n = 0, i;

	for (i = 1; i < argc; i++)
		ok &= run_path(argv[i], &n);
	if (argc < 2) {
		snprintf(corpus, sizeof(corpus), "tests/fuzz/corpus/%s", name);
		ok = run_path(corpus, &n);
	}
	ok = ok && n > 0;
	printf("%sok 1 - %s survives its %d stored inputs\n1..1\n",
	       ok ? "" : "not ", name, n);
	return !ok;
}
