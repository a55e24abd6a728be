// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "static_program.h"

static struct fault f;

/* A program of 32 or 64 bits, little-endian or big-endian, with two segments; size bytes. */
static uint8_t program[512];
static size_t size;
static bool wide, big;

static void put(size_t at, size_t len, uint64_t value)
{
	for (size_t i = 0; i < len; i++)
		program[at + (big ? len - 1 - i : i)] = (uint8_t)(value >> (8 * i));
}

#define PUT(at, what, field, value)                                                           \
	(wide ? put((at) + offsetof(Elf64_##what, field), sizeof(((Elf64_##what *)0)->field), \
		    (value))                                                                  \
	      : put((at) + offsetof(Elf32_##what, field), sizeof(((Elf32_##what *)0)->field), \
		    (value)))

static size_t segment(unsigned int i)
{
	return (wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)) +
	       i * (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
}

static void make(bool is_wide, bool is_big)
{
	wide = is_wide;
	big = is_big;
	memset(program, 0, sizeof(program));
	memcpy(program, ELFMAG, SELFMAG);
	program[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	program[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	PUT(0, Ehdr, e_type, ET_EXEC);
	PUT(0, Ehdr, e_entry, 0x10000);
	PUT(0, Ehdr, e_phoff, segment(0));
	PUT(0, Ehdr, e_phentsize, segment(1) - segment(0));
	PUT(0, Ehdr, e_phnum, 2);
	PUT(segment(0), Phdr, p_type, PT_GNU_STACK);
	PUT(segment(1), Phdr, p_type, PT_LOAD);
	size = segment(2) + 100;
	PUT(segment(1), Phdr, p_filesz, size);
}

/* A copy that ends where the file does, so that a read behind it is seen. */
static int check(void)
{
	uint8_t *copy = malloc(size ? size : 1);
	int result;

	memcpy(copy, program, size);
	result = static_program_check(copy, size, "init", &f);
	free(copy);
	return result;
}

static void refused(const char *why)
{
	assert_int_equal(check(), -1);
	assert_fault(&f, FAULT_IMAGE, "init");
	assert_fault(&f, FAULT_IMAGE, why);
}

static void for_each_kind(void (*test)(void))
{
	for (int kind = 0; kind < 4; kind++) {
		make(kind & 1, kind & 2);
		test();
	}
}

static void whole(void)
{
	assert_int_equal(check(), 0);
	PUT(0, Ehdr, e_type, ET_DYN); /* static, but loaded anywhere */
	assert_int_equal(check(), 0);
	program[EI_OSABI] = ELFOSABI_LINUX;
	assert_int_equal(check(), 0);
}

static void dynamic(void)
{
	PUT(segment(0), Phdr, p_type, PT_INTERP);
	PUT(segment(0), Phdr, p_offset, segment(2));
	PUT(segment(0), Phdr, p_filesz, 14);
	memcpy(program + segment(2), "/lib/ld-x.so.1", 15);
	refused("not static: it needs /lib/ld-x.so.1,");
	memcpy(program + segment(2), "/lib/\n", 7); /* a fault is one line */
	refused("needs /lib/,");
	PUT(segment(0), Phdr, p_filesz, 0);
	refused("not static");
	PUT(segment(0), Phdr, p_offset, UINT32_MAX);
	refused("cut short");
}

static void other_kind(void)
{
	PUT(0, Ehdr, e_type, ET_REL);
	refused("no program");
	PUT(0, Ehdr, e_type, ET_DYN);
	PUT(0, Ehdr, e_entry, 0);
	refused("no program");
}

static void nothing_to_load(void)
{
	PUT(0, Ehdr, e_phnum, 0);
	refused("nothing to load");
}

static void damaged(void)
{
	PUT(0, Ehdr, e_phentsize, 8);
	refused("damaged");
	program[EI_DATA] = 3;
	refused("damaged");
	program[EI_CLASS] = 3;
	refused("damaged");
	program[EI_OSABI] = 0;
}

static void foreign(void)
{
	program[EI_OSABI] = ELFOSABI_FREEBSD;
	refused("not for Linux");
	memcpy(program, "#!/bin/sh\n", 10);
	refused("no ELF program");
}

/* Where segments are said to be beyond any file, sums must not wrap around. */
static void far_away(void)
{
	PUT(segment(1), Phdr, p_offset, UINT64_MAX);
	refused("cut short");
	PUT(segment(1), Phdr, p_offset, 1);
	PUT(segment(1), Phdr, p_filesz, UINT64_MAX);
	refused("cut short");
	PUT(0, Ehdr, e_phoff, UINT64_MAX);
	refused("cut short");
	PUT(0, Ehdr, e_phoff, segment(0));
	PUT(0, Ehdr, e_phnum, UINT16_MAX);
	refused("cut short");
}

static void every_length(void)
{
	while (size-- > 0)
		refused(size < SELFMAG || size < EI_NIDENT ? "no ELF program" : "cut short");
	size = 0;
}

#define OF_EACH_KIND(test)                    \
	static void test_##test(void **state) \
	{                                     \
		for_each_kind(test);          \
	}

OF_EACH_KIND(whole)
OF_EACH_KIND(dynamic)
OF_EACH_KIND(other_kind)
OF_EACH_KIND(nothing_to_load)
OF_EACH_KIND(damaged)
OF_EACH_KIND(foreign)
OF_EACH_KIND(far_away)
OF_EACH_KIND(every_length)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),      cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_other_kind), cmocka_unit_test(test_nothing_to_load),
		cmocka_unit_test(test_damaged),    cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_far_away),   cmocka_unit_test(test_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
