/* SPDX-License-Identifier: BSD-2-Clause */
/* good.c: the program that corrupt.py corrupts: with constants, data and bss that all must be right. */
static const int constant[600] = { [599] = 20 };
static int data[600] = { [599] = 22 }, bss[5000];

int main(void)
{
    volatile int *zero = bss + 4999;
    return constant[599] + data[599] + *zero;
}
