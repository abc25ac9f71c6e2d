"""Query fields, with the plugin of mypy."""

from dataclasses import dataclass
from typing import Annotated, Optional

from typing_extensions import assert_type

from ommi import Auto, Embedded, Key, Ommi, auto, count, ommi_model, when
from ommi._core import ASTComparisonNode, ASTGroupNode, ASTReferenceNode


@dataclass
class Address:
    city: str


@ommi_model
@dataclass
class User:
    name: str
    age: Optional[int] = None
    home: Annotated[Optional[Address], Embedded] = None
    id: Annotated[int, Key | Auto] = auto()


assert_type(User.name, ASTReferenceNode)
assert_type(User.age > 18, ASTComparisonNode)
assert_type((User.age > 18) & User.name.contains("a"), ASTGroupNode)
assert_type(User("Ada").name, str)
assert_type(User("Ada").age, Optional[int])


async def use(db: Ommi) -> None:
    query = db.find(User, User.age >= 18, when(User.name.in_(["a"])).Or(User.id == 1))
    assert_type(await query.sort(User.name.desc, User.age).limit(3).one.or_raise(), User)
    await db.find(User).group_by(User.name).select(User.name, count(), User.age.avg()).all.or_raise()
    await db.find(User).update(age=User.age + 1).or_raise()
    await db.find(User.home.city == "Lund").sort(User.home.city).or_raise()
    await db.find(User).update({User.home.city: "Oslo"}).or_raise()
    User.name.nothing  # wrong  # noqa: B018
    User.nothing  # wrong  # noqa: B018
