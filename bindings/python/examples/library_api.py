"""A web API on FastAPI: `uvicorn library_api:app`.

The lifespan opens the database, a dependency gives it, another gives a transaction for each request, and
models are the bodies of requests and responses.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Optional

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ommi import Auto, ConstraintError, Key, NotFound, Ommi, OmmiTransaction, Unique, ommi_model


@ommi_model
class Book(BaseModel):
    title: str
    isbn: Annotated[str, Unique()]
    pages: int = 0
    id: Annotated[Optional[int], Key | Auto] = None


class BookChange(BaseModel):
    title: Optional[str] = None
    pages: Optional[int] = None


class Page(BaseModel):
    books: list[Book]
    total: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Ommi(os.environ.get("LIBRARY_URL", "sqlite://library.db")) as db:
        app.state.db = db
        yield


app = FastAPI(lifespan=lifespan)


def database(request: Request) -> Ommi:
    db: Ommi = request.app.state.db
    return db


async def transaction(request: Request) -> AsyncIterator[OmmiTransaction]:
    """A transaction that is committed when the request was answered, and rolled back on an exception."""
    async with database(request).transaction() as tx:
        yield tx


Db = Annotated[Ommi, Depends(database)]
Tx = Annotated[OmmiTransaction, Depends(transaction)]


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"detail": error.reason}, status_code=404)


@app.exception_handler(ConstraintError)
async def refused(request: Request, error: ConstraintError) -> JSONResponse:
    return JSONResponse({"detail": error.reason, "fields": error.fields}, status_code=409)


@app.post("/books", status_code=201)
async def add_book(book: Book, db: Db) -> Book:
    (added,) = await db.add(book).or_raise()
    return added


@app.post("/books/batch", status_code=201)
async def add_books(books: list[Book], tx: Tx) -> list[Book]:
    return await tx.add(*books).or_raise()


@app.get("/books")
async def list_books(
    db: Db,
    title: Optional[str] = None,
    min_pages: Optional[int] = None,
    page: Annotated[int, Query(ge=0)] = 0,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page:
    query = db.find(Book)
    if title is not None:
        query = query.filter(Book.title.icontains(title))  # type: ignore[attr-defined]
    if min_pages is not None:
        query = query.filter(Book.pages >= min_pages)
    total = await query.count.or_raise()
    return Page(books=await query.sort(Book.title, Book.id).limit(size, page).or_raise(), total=total)


@app.get("/books/{book_id}")
async def get_book(book_id: int, db: Db) -> Book:
    return await db.get(Book, book_id).or_raise()


@app.patch("/books/{book_id}")
async def change_book(book_id: int, change: BookChange, tx: Tx) -> Book:
    values = change.model_dump(exclude_none=True)
    if not values:
        raise HTTPException(422, "nothing to change")
    await tx.find(Book.id == book_id).update(values).or_raise()
    return await tx.get(Book, book_id).or_raise()


@app.delete("/books/{book_id}", status_code=204)
async def delete_book(book_id: int, db: Db) -> None:
    if not await db.find(Book.id == book_id).delete.or_raise():
        raise HTTPException(404, "no such book")
