// SPDX-License-Identifier: GPL-2.0-or-later
#include "static_program.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The program may be for another CPU than ours: of 32 or 64 bits, and of either byte order. */
struct elf {
	const uint8_t *bytes;
	size_t size;
	const char *name;
	bool wide, big_endian;
};

/* A number of size bytes, which lies within the file. */
static uint64_t number(const struct elf *e, uint64_t at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | e->bytes[at + (e->big_endian ? i : size - 1 - i)];
	return value;
}

/* A field by its name in both kinds of a structure that begins at the offset. */
#define FIELD(e, at, what, field)                                    \
	((e)->wide ? number(e, (at) + offsetof(Elf64_##what, field), \
			    sizeof(((Elf64_##what *)0)->field))      \
		   : number(e, (at) + offsetof(Elf32_##what, field), \
			    sizeof(((Elf32_##what *)0)->field)))

static int refuse(const struct elf *e, const char *why, struct fault *f)
{
	return fault_set(f, FAULT_IMAGE, "%s: %s", e->name, why);
}

static bool within(const struct elf *e, uint64_t at, uint64_t size)
{
	return at <= e->size && size <= e->size - at;
}

static int refuse_interpreter(const struct elf *e, const char *path, uint64_t len, struct fault *f)
{
	enum { SHOWN_MAX = 100 };
	int shown = 0;

	while ((uint64_t)shown < len && shown < SHOWN_MAX && path[shown] > ' ' &&
	       path[shown] < 0x7f)
		shown++;
	return fault_set(f, FAULT_IMAGE,
			 "%s: is not static: it needs %.*s, which will not be there", e->name,
			 shown, path);
}

static int check_segment(const struct elf *e, uint64_t at, unsigned int *loaded, struct fault *f)
{
	uint64_t type = FIELD(e, at, Phdr, p_type);
	uint64_t from = FIELD(e, at, Phdr, p_offset), len = FIELD(e, at, Phdr, p_filesz);

	if ((type == PT_LOAD || type == PT_INTERP) && !within(e, from, len))
		return refuse(e, "is cut short", f);
	if (type == PT_INTERP)
		return refuse_interpreter(e, (const char *)e->bytes + from, len, f);
	if (type == PT_LOAD)
		++*loaded;
	return 0;
}

static int check_segments(const struct elf *e, struct fault *f)
{
	uint64_t at = FIELD(e, 0, Ehdr, e_phoff), each = FIELD(e, 0, Ehdr, e_phentsize);
	uint64_t count = FIELD(e, 0, Ehdr, e_phnum);
	unsigned int loaded = 0;

	if (each != (e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return refuse(e, "is damaged", f);
	if (!within(e, at, count * each))
		return refuse(e, "is cut short", f);
	for (uint64_t i = 0; i < count; i++)
		if (check_segment(e, at + i * each, &loaded, f) < 0)
			return -1;
	return loaded > 0 ? 0 : refuse(e, "is no program: it holds nothing to load", f);
}

static int check_header(struct elf *e, struct fault *f)
{
	const uint8_t *ident = e->bytes;
	uint64_t type;

	if (e->size < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return refuse(e, "is no ELF program", f);
	e->wide = ident[EI_CLASS] == ELFCLASS64;
	e->big_endian = ident[EI_DATA] == ELFDATA2MSB;
	if ((!e->wide && ident[EI_CLASS] != ELFCLASS32) ||
	    (!e->big_endian && ident[EI_DATA] != ELFDATA2LSB))
		return refuse(e, "is damaged", f);
	if (ident[EI_OSABI] != ELFOSABI_NONE && ident[EI_OSABI] != ELFOSABI_LINUX)
		return refuse(e, "is not for Linux", f);
	if (e->size < (e->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return refuse(e, "is cut short", f);
	type = FIELD(e, 0, Ehdr, e_type);
	/* A library begins nowhere; a static program that can be loaded anywhere is ET_DYN, too. */
	if ((type != ET_EXEC && type != ET_DYN) || FIELD(e, 0, Ehdr, e_entry) == 0)
		return refuse(e, "is no program, but another kind of ELF file", f);
	return 0;
}

int static_program_check(const uint8_t *bytes, size_t size, const char *name, struct fault *f)
{
	struct elf e = { .bytes = bytes, .size = size, .name = name };

	return check_header(&e, f) < 0 ? -1 : check_segments(&e, f);
}
