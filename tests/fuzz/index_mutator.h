/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutations of an index that keep to its fields, so that most of the mutants reach beyond the first
 * checks: lengths follow the values, and chunk tables the payloads they belong to.
 */
#ifndef TESTS_INDEX_MUTATOR_H
#define TESTS_INDEX_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Mutates in place; returns the new size, at most max. */
size_t index_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed);

#endif
