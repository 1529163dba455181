"""Studies: many verified answers about one fund, or one question asked of many funds.

A study is a pure function: a `allocator.pipeline.fund.Fund` (or its `Model`) and a frozen settings object in, a frozen
result out, which can show itself as a frame. A single run answers one question; a study asks a family of
questions and keeps what they share: the model, the cone program, the working state of the solver.

The arrow: a study reads config, inputs, capital, model, solve, verify and result, and never the report. It sees
`Fund` as the type of what it is handed and imports the pipeline for type checking alone; the pipeline, which
sees all, may offer a study as a thin method of `Fund` and imports it where it is called. Whatever a study needs
that only the pipeline can make (loading a fund file in another process, say) is handed in as a function.
"""
