# The two loops that run kernels without returning to Python in between; `loops.py` holds them as bytes, a test assembles this
# file and compares. System V ABI, position independent, no data, no stack but the saved registers.
        .intel_syntax noprefix
        .text

# uint64_t records(const struct { uint64_t count; struct { fn, environment, dispatch, first, last; } record[]; } *)
# Runs every record in order. 0, or (index of the record that failed) << 32 | what its kernel returned.
records:
        push    rbx
        push    r12
        push    r13                     # the stack is a multiple of 16 again
        mov     r12, [rdi]
        lea     rbx, [rdi + 8]
        xor     r13d, r13d
        test    r12, r12
        jz      1f
0:      mov     rdi, [rbx + 8]
        mov     rsi, [rbx + 16]
        mov     rdx, [rbx + 24]
        mov     rcx, [rbx + 32]
        call    [rbx]
        test    eax, eax
        jnz     2f
        add     rbx, 40
        inc     r13
        cmp     r13, r12
        jb      0b
1:      xor     eax, eax
        jmp     3f
2:      mov     eax, eax                # the upper half of rax is undefined after an int function
        shl     r13, 32
        or      rax, r13
3:      pop     r13
        pop     r12
        pop     rbx
        ret

        .balign 16, 0xcc

# uint64_t share(struct { uint64_t next, step, total; fn, environment; } *, const dispatch *)
# Takes `step` workgroups at a time until none are left; any number of threads may do so at once. 0, or what a kernel returned,
# after which nobody takes more.
share:
        push    rbx
        push    r12
        sub     rsp, 8
        mov     rbx, rdi
        mov     r12, rsi
0:      mov     rdx, [rbx + 8]
        mov     rax, rdx
        lock xadd [rbx], rax
        mov     rcx, [rbx + 16]
        cmp     rax, rcx
        jae     1f
        add     rdx, rax
        cmp     rdx, rcx
        cmovb   rcx, rdx
        mov     rdx, rax
        mov     rsi, r12
        mov     rdi, [rbx + 32]
        call    [rbx + 24]
        test    eax, eax
        jz      0b
        mov     rcx, [rbx + 16]
        mov     [rbx], rcx
        mov     eax, eax
        jmp     2f
1:      xor     eax, eax
2:      add     rsp, 8
        pop     r12
        pop     rbx
        ret
