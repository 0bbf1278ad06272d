/* SPDX-License-Identifier: BSD-2-Clause */
/* start.S: how the loader is found and started, up to long mode; and how it leaves for the kernel.
 * Both ways in are 32-bit protected mode, paging and interrupts off:
 *   multiboot2 (GRUB)         eax 0x36d76289, ebx information structure
 *   PVH (QEMU -kernel)        ebx start info
 * Multiboot2 specification 2.0, sections 3.1 and 3.3; x86/HVM direct boot ABI. */

#define CR0_PE          (1 << 0)
#define CR0_MP          (1 << 1)
#define CR0_EM          (1 << 2)
#define CR0_TS          (1 << 3)
#define CR0_NE          (1 << 5)
#define CR0_WP          (1 << 16)
#define CR0_AM          (1 << 18)
#define CR0_PG          (1 << 31)
#define CR4_PAE         (1 << 5)
#define MSR_EFER        0xc0000080
#define EFER_SCE        (1 << 0)
#define EFER_LME        (1 << 8)
#define EFER_NXE        (1 << 11)
#define MULTIBOOT2      0x36d76289

        .section .multiboot2, "a"
        .balign 8
header: .long   0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
        .short  3, 0                    /* entry address */
        .long   12, start_multiboot2
        .balign 8
        .short  6, 0                    /* page aligned modules */
        .long   8
        .short  0, 0                    /* end */
        .long   8
header_end:

        .section .note.pvh, "a", @note
        .balign 4
        .long   4, 8, 18                /* name and data bytes, PHYS32_ENTRY */
        .asciz  "Xen"
        .quad   start_pvh

        .text
        .code32
        .globl  start_multiboot2
start_multiboot2:
        mov     $1f, %esi
        cmp     $MULTIBOOT2, %eax
        jne     refuse
        mov     $1, %edi
        jmp     to_long_mode
start_pvh:
        mov     $0, %edi

/* edi: started by multiboot2; ebx: the information. */
to_long_mode:
        cli
        cld
        mov     $stack_end, %esp
        mov     %ebx, %ebp
        pushfl                          /* CPUID exists if flag 21 can be toggled */
        pop     %eax
        mov     %eax, %ecx
        xor     $(1 << 21), %eax
        push    %eax
        popfl
        pushfl
        pop     %eax
        mov     $2f, %esi
        cmp     %eax, %ecx
        je      refuse
        mov     $0x80000000, %eax
        cpuid
        cmp     $0x80000001, %eax
        jb      refuse
        mov     $0x80000001, %eax
        cpuid
        bt      $29, %edx               /* long mode */
        jnc     refuse
        and     $(1 << 20), %edx        /* no-execute */
        mov     %edx, %ebx

        movl    $boot_pdpt + 3, boot_pml4       /* identity map of 0-4 GB, 2 MB pages */
        mov     $boot_pds + 3, %eax
        mov     $boot_pdpt, %edx
1:      mov     %eax, (%edx)
        add     $8, %edx
        add     $4096, %eax
        cmp     $boot_pds + 4 * 4096, %eax
        jb      1b
        mov     $0x83, %eax
        mov     $boot_pds, %edx
1:      mov     %eax, (%edx)
        add     $8, %edx
        add     $0x200000, %eax
        jnc     1b

        mov     %cr4, %eax
        or      $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $boot_pml4, %eax
        mov     %eax, %cr3
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $(EFER_SCE | EFER_LME), %eax
        test    %ebx, %ebx
        jz      1f
        or      $EFER_NXE, %eax
1:      wrmsr
        mov     %cr0, %eax
        or      $(CR0_PE | CR0_MP | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_PG), %eax   /* as the kernel wants it */
        and     $~CR0_EM, %eax
        mov     %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $in_long_mode

/* esi: a zero terminated sentence, to COM1, COM2 and the screen; then the end. */
refuse:
        mov     $0xb8000, %edi
        xor     %ecx, %ecx
next:   movb    (%esi, %ecx), %al
        test    %al, %al
        jz      end
        mov     $0x3f8, %edx
        out     %al, %dx
        mov     $0x2f8, %edx
        out     %al, %dx
        movb    %al, (%edi, %ecx, 2)
        movb    $0x4f, 1(%edi, %ecx, 2)
        mov     $20000, %ebx            /* longer than one character takes */
1:      in      $0x80, %al
        dec     %ebx
        jnz     1b
        inc     %ecx
        jmp     next
end:    mov     $3, %eax
        mov     $0xf4, %edx
        outl    %eax, %dx
        cli
1:      hlt
        jmp     1b

        .section .rodata
1:      .asciz  "loader: started by something that is neither multiboot2 nor PVH; use those\r\n"
2:      .asciz  "loader: this CPU has no 64-bit long mode, which Axolotl needs (QEMU: -cpu qemu64 or max)\r\n"

        .text
        .code64
in_long_mode:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack_end, %esp
        mov     %edi, %edi
        mov     %ebp, %esi
        call    loader_main

/* enter_kernel(record, entry) */
        .globl  enter_kernel
enter_kernel:
        jmp     *%rsi

        .section .rodata
        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff      /* 8: 64-bit code */
        .quad   0x00cf93000000ffff      /* 16: data */
gdt_pointer:
        .short  gdt_pointer - gdt - 1
        .long   gdt

        .bss
        .balign 4096
        .globl  boot_pml4
boot_pml4:
        .skip   4096
boot_pdpt:
        .skip   4096
boot_pds:
        .skip   4 * 4096
        .skip   16384
stack_end:

        .section .note.GNU-stack, "", @progbits
